// The page of one bulk action.

import "./frame.js";
import "../bulk/bulk.js";
