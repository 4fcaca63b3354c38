// Errors grouped: the list of groups, and the page of one.

import "./frame.js";
import "../errors/errors.js";
