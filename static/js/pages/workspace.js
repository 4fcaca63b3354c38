// The form for a new request, with the result beside it and the last runs below.

import "./frame.js";
import "../lib/connection.js";
import "../lib/notices.js";
import "../lib/lostmedia.js";
import "../lib/thumbnails.js";
import "../lib/save.js";
import "../lib/lightbox.js";
import "../form/form.js";
import "../form/paste.js";
import "../form/files/files.js";
import "../form/files/carried.js";
import "../form/variables.js";
import "../form/runs.js";
import "../form/repeat.js";
