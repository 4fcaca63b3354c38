// The page of one request.

import { mountRequest } from "./mount.js";

const page = document.getElementById("request-page");

if (page) mountRequest(page);
