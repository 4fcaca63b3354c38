// The list of requests.

import "./frame.js";
import "../lib/connection.js";
import "../lib/blur.js";
import "../lib/notices.js";
import "../lib/lostmedia.js";
import "../lib/marks.js";
import "../lib/thumbnails.js";
import "../list/cellmenu.js";
import "../list/columnorder.js";
import "../list/complete.js";
import "../list/rows.js";
import "../list/rowclick.js";
import "../list/select.js";
import "../lib/save.js";
import "../lib/lightbox.js";
import "../list/peek.js";
import "../list/place.js";
