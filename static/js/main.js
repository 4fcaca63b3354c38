// The one module a page loads. Each import looks for its own elements and does nothing without them.

import "./lib/time.js";
import "./lib/menu.js";
import "./lib/search.js";
import "./lib/keys.js";
import "./lib/team.js";
import "./lib/toasts.js";
import "./lib/login.js";
import "./lib/refusals.js";
import "./lib/timemenu.js";
import "./lib/lostmedia.js";
import "./lib/connection.js";
import "./list/rows.js";
import "./list/rowclick.js";
import "./lib/acted.js";
import "./lib/copy.js";
import "./lib/save.js";
import "./lib/lightbox.js";
import "./lib/code.js";
import "./form/form.js";
import "./form/variables.js";
import "./form/runs.js";
import "./form/repeat.js";
import "./request/page.js";
import "./request/compare.js";
import "./batches/batch.js";
import "./realtime/realtime.js";
