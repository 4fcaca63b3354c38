// The server's words after an action (HX-Trigger: toast).

import { toast } from "./toasts.js";

document.addEventListener("toast", ({ detail }) => toast(detail.text, { error: detail.error === true }));
