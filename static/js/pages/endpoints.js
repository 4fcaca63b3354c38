// The list of endpoints.

import "./frame.js";
import "../form/paste.js";
