// Requests side by side.

import "./frame.js";
import "../lib/connection.js";
import "../lib/notices.js";
import "../lib/lostmedia.js";
import "../lib/save.js";
import "../lib/lightbox.js";
import "../request/compare.js";
