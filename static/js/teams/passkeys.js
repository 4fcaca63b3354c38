// Forms whose field `credential` the browser's passkeys fill: data-passkey="create" or "get". The server's options are in
// the element that data-passkey-options names, or at the form's own address.

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<any>} what the server wants of the credential
 */
async function optionsOf(form) {
  const place = form.dataset.passkeyOptions;
  if (place) return JSON.parse(document.getElementById(place)?.textContent ?? "{}").publicKey;
  const reply = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!reply.ok) throw new Error(`The server answered ${reply.status}.`);
  return (await reply.json()).request_options.publicKey;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<PublicKeyCredential>}
 */
async function credentialFor(form) {
  const wanted = await optionsOf(form);
  let made;
  if (form.dataset.passkey === "create") {
    const alone =
      /** @type {HTMLInputElement | null} */ (form.elements.namedItem("passwordless"))?.checked ?? false;
    wanted.authenticatorSelection = {
      ...wanted.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone && { userVerification: "required" }),
    };
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(wanted);
    made = await navigator.credentials.create({ publicKey });
  } else {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(wanted);
    made = await navigator.credentials.get({ publicKey });
  }
  return /** @type {PublicKeyCredential} */ (made);
}

/** @param {HTMLFormElement} form */
async function fill(form) {
  const error = /** @type {HTMLElement | null} */ (form.querySelector("[data-passkey-error]"));
  if (error) error.hidden = true;
  try {
    const credential = await credentialFor(form);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
    field.value = JSON.stringify(credential.toJSON());
    HTMLFormElement.prototype.submit.call(form); // past the listener below
  } catch {
    if (error) error.hidden = false;
  }
}

const isAble = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;
for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (
  document.querySelectorAll("form[data-passkey]")
)) {
  if ("passkeyOnly" in form.dataset) form.hidden = !isAble;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fill(form);
  });
}
