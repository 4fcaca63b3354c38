// The page of one request.

import "./frame.js";
import "../lib/connection.js";
import "../lib/notices.js";
import "../lib/lostmedia.js";
import "../lib/marks.js";
import "../lib/save.js";
import "../lib/lightbox.js";
import "../lib/code.js";
import "../request/page.js";
import "../request/walk.js";
