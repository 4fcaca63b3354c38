// What every page has for a user who is logged in. A page with more has an entry of its own, which begins with this one.
// Each import looks for its own elements and does nothing without them.

import "../lib/time.js";
import "../lib/keys.js";
import "../lib/team.js";
import "../lib/toasts.js";
import "../lib/login.js";
import "../lib/refusals.js";
import "../lib/timemenu.js";
import "../lib/copy.js";
import "../lib/dialogs.js";
import "../lib/palette.js";
