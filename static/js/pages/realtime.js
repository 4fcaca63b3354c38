// The workbench for realtime sessions.

import "./frame.js";
import "../lib/connection.js";
import "../lib/notices.js";
import "../lib/lostmedia.js";
import "../realtime/realtime.js";
