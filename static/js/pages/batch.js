// The page of one batch.

import "./frame.js";
import "../batches/batch.js";
