// Passkeys of a user who is logged in.

import "./frame.js";
import "../teams/passkeys.js";
