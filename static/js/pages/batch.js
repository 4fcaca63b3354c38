// The page of one batch.

import "./frame.js";
import "../lib/thumbnails.js";
import "../batches/batch.js";
