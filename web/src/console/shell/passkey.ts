/** Passkeys (WebAuthn level 3): the browser's credentials to and from the api's JSON. */
import { send } from "../client.ts";

type Json = Record<string, unknown>;

/** Ask the browser for a passkey of this server, and sign in with it. */
export async function signInByPasskey(): Promise<void> {
  const options = (await send("post", "/v1/session/passkeys/challenge")) as unknown as Json;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  const found = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  await send("post", "/v1/session/passkeys/sign-in", { body: found.toJSON() as never });
}
/** Have the browser make a passkey for whoever is signed in, and keep its public half. */
export async function makePasskey(name: string): Promise<void> {
  const options = (await send("post", "/v1/session/passkeys/options")) as unknown as Json;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  await send("post", "/v1/session/passkeys", { body: { name, credential: made.toJSON() as never } });
}
