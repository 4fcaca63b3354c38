// Notices: of this browser, and of the team.

import "./frame.js";
import "../teams/noticesettings.js";
