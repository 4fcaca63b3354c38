// What requests made, as tiles.

import "./frame.js";
import "../lib/connection.js";
import "../lib/blur.js";
import "../lib/lostmedia.js";
import "../lib/thumbnails.js";
import "../list/complete.js";
import "../list/select.js";
import "../lib/save.js";
import "../lib/lightbox.js";
import "../gallery/gallery.js";
