// The log-in, which a passkey can do alone or as the second factor.

import "./entrance.js";
import "../teams/passkeys.js";
