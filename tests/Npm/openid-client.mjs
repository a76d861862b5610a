// An OpenID Connect client of another make, and a browser without script: sign-in, refresh, device, client credentials, logout.
// The provider and its accounts are described by the environment variable PROVIDER (JSON); prints a line for each thing that worked.
import { createServer } from 'node:http';
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { chromium } from 'playwright-core';

const provider = JSON.parse(process.env.PROVIDER);
const issuer = new URL(provider.issuer);
const arrivals = [];
let arrived = () => {};
const application = createServer((request, response) => {
  if (!request.url.startsWith('/favicon')) { arrivals.push(new URL(request.url, origin)); arrived(); }
  response.end('the application');
});
await new Promise(resolve => application.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${application.address().port}`;
let page;
const arrival = async () => {
  while (arrivals.length === 0) await new Promise(resolve => { arrived = resolve; });
  const url = arrivals.shift();
  await page.waitForURL(url.href);
  return url;
};
const browser = await chromium.launch({
  executablePath: provider.chromium, timeout: 120_000,
  args: ['--no-sandbox', '--disable-gpu', `--ignore-certificate-errors-spki-list=${provider.keyDigest}`],
});

try {
  const context = await browser.newContext({ javaScriptEnabled: false });
  context.setDefaultTimeout(120_000);
  page = await context.newPage();
  const signIn = async () => {
    await page.getByLabel('Name').fill(provider.user);
    await page.getByLabel('Password').fill(provider.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  // Authorization code, PKCE, nonce, state; sign-in and consent in the browser.
  const config = await client.discovery(issuer, provider.clientId, undefined, client.ClientSecretBasic(provider.secret));
  assert.equal(config.serverMetadata().authorization_response_iss_parameter_supported, true);
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  await page.goto(client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/callback`, scope: 'openid profile email groups offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).href);
  await page.getByLabel('Name').fill(provider.user);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await signIn();
  await page.getByRole('button', { name: 'Allow' }).click();
  const tokens = await client.authorizationCodeGrant(config, await arrival(), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  assert.equal(tokens.claims().preferred_username, `${provider.user}@system`);
  assert.deepEqual(tokens.claims().groups, ['crew']);
  const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(info.email, provider.mail);
  console.log('code');

  // A second sign-in needs neither password nor consent.
  const second = client.randomPKCECodeVerifier();
  await page.goto(client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/callback`, scope: 'openid', code_challenge: await client.calculatePKCECodeChallenge(second), code_challenge_method: 'S256', prompt: 'none',
  }).href);
  await client.authorizationCodeGrant(config, await arrival(), { pkceCodeVerifier: second });
  console.log('single sign-on');

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, true);
  await client.tokenRevocation(config, refreshed.access_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false);
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });
  console.log('refresh');

  const device = await client.discovery(issuer, 'candela-cli', undefined, client.None());
  const waiting = await client.initiateDeviceAuthorization(device, { scope: 'openid' });
  const polled = client.pollDeviceAuthorizationGrant(device, waiting);
  await page.goto(waiting.verification_uri);
  await page.getByLabel('The code that your device shows').fill(waiting.user_code);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  assert.equal((await polled).claims().sub, tokens.claims().sub);
  console.log('device');

  for (const [name, method] of [['secret_basic', client.ClientSecretBasic(provider.secret)], ['secret_post', client.ClientSecretPost(provider.secret)]]) {
    const program = await client.discovery(issuer, provider.clientId, undefined, method);
    assert.equal((await client.clientCredentialsGrant(program, { resource: provider.audience })).token_type, 'bearer');
    console.log(`client credentials ${name}`);
  }
  const key = await crypto.subtle.importKey('pkcs8', Buffer.from(provider.key, 'base64'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const signer = await client.discovery(issuer, provider.signerId, undefined, client.PrivateKeyJwt(key));
  assert.ok((await client.clientCredentialsGrant(signer)).access_token);
  console.log('client credentials private_key_jwt');

  await page.goto(client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${origin}/bye`, state: 'x' }).href);
  assert.equal((await arrival()).href, `${origin}/bye?state=x`);
  await page.goto(new URL('/account', issuer).href);
  await page.getByLabel('Name').waitFor();
  console.log('logout');
} finally {
  await browser.close();
  application.close();
}
