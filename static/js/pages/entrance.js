// Pages without a log-in: single keys for the theme and the list of keys.

import "../lib/keys.js";
