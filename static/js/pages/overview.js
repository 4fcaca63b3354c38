// The overview of a team's requests.

import "./frame.js";
import "../lib/connection.js";
import "../overview/overview.js";
