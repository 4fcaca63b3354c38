// The one module a page loads. Each import looks for its own elements and does nothing without them.

import "./time.js";
import "./menu.js";
import "./keys.js";
import "./toasts.js";
import "./connection.js";
import "./rows.js";
import "./acted.js";
import "./copy.js";
import "./code.js";
import "./form.js";
import "./detail.js";
import "./stream.js";
import "./replay.js";
import "./realtime.js";
