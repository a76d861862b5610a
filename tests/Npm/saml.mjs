// A SAML service provider of another make (@node-saml/node-saml) and a browser that signs in to it and out.
//   node saml.mjs metadata CONFIG   prints the metadata of the service providers, one JSON object
//   node saml.mjs run CONFIG        goes the whole way; prints what was seen, one JSON object
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { launch } from './browser.mjs';

const [command, path] = process.argv.slice(2);
const config = JSON.parse(readFileSync(path, 'utf8'));

function provider({ name, port, post, encrypted }) {
  const address = `http://localhost:${port}`;
  const options = {
    entryPoint: `${config.idp}/saml/sso`,
    logoutUrl: `${config.idp}/saml/slo`,
    idpIssuer: `${config.idp}/saml/metadata`,
    idpCert: config.idpCertificates,
    issuer: `${address}/metadata`,
    callbackUrl: `${address}/acs`,
    logoutCallbackUrl: `${address}/slo`,
    privateKey: config.key,
    publicCert: config.certificate,
    decryptionPvk: encrypted ? config.key : undefined,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    authnRequestBinding: post ? 'HTTP-POST' : undefined,
    identifierFormat: null,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: true,
    validateInResponseTo: ValidateInResponseTo.always,
    cacheProvider: cache(),
  };
  // Only messages by Redirect are compressed; the library has one switch for both bindings.
  const [saml, posting] = [false, true].map(skipRequestCompression => new SAML({ ...options, skipRequestCompression }));
  return { name, address, port, post, encrypted, saml, posting, profile: null, log: [] };
}

/** Requests that wait for their response, for both of a service provider's halves. */
function cache() {
  const known = new Map();
  return {
    saveAsync: async (key, value) => (known.set(key, value), { value, createdAt: Date.now() }),
    getAsync: async key => known.get(key) ?? null,
    removeAsync: async key => known.delete(key) ? key : null,
  };
}

async function form(request) {
  let body = '';
  for await (const chunk of request)
    body += chunk;
  return Object.fromEntries(new URLSearchParams(body));
}

async function answer(sp, request, response) {
  const url = new URL(request.url, sp.address);
  const html = text => response.writeHead(200, { 'content-type': 'text/html' }).end(text);
  const redirect = location => response.writeHead(302, { location }).end();
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /login':
      if (sp.post)
        html(await sp.posting.getAuthorizeFormAsync('deep/link?a=1', request.headers.host));
      else
        redirect(await sp.saml.getAuthorizeUrlAsync('deep/link?a=1', request.headers.host, {}));
      break;
    case 'POST /acs': {
      const body = await form(request);
      const { profile, loggedOut } = await sp.saml.validatePostResponseAsync(body);
      sp.profile = profile;
      sp.log.push({ signedIn: profile.nameID, relayState: body.RelayState, loggedOut, attributes: { uid: profile.uid, mail: profile.mail, groups: profile.groups } });
      html(`<h1 id="who">${profile.uid}</h1>`);
      break;
    }
    case 'GET /logout':
      redirect(await sp.saml.getLogoutUrlAsync(sp.profile, 'bye', {}));
      break;
    case 'POST /slo': {
      const body = await form(request);
      const { profile } = await sp.saml.validatePostRequestAsync(body);
      sp.log.push({ logoutRequestFor: profile.nameID, sessionIndex: profile.sessionIndex === sp.profile?.sessionIndex });
      const same = sp.profile?.nameID === profile.nameID;
      sp.profile = null;
      redirect(await sp.saml.getLogoutResponseUrlAsync(profile, body.RelayState, {}, same));
      break;
    }
    case 'GET /slo': {
      const query = Object.fromEntries(url.searchParams);
      const { loggedOut } = await sp.saml.validateRedirectAsync(query, url.search.slice(1));
      sp.log.push({ loggedOut, relayState: query.RelayState });
      sp.profile = null;
      html('<h1 id="bye">signed out</h1>');
      break;
    }
    default:
      response.writeHead(404).end();
  }
}

const providers = config.providers.map(provider);
if (command === 'metadata') {
  console.log(JSON.stringify(Object.fromEntries(providers.map(sp => [sp.name, sp.saml.generateServiceProviderMetadata(sp.encrypted ? config.certificate : null, config.certificate)]))));
  process.exit(0);
}

const servers = providers.map(sp => createServer((request, response) => answer(sp, request, response).catch(error => {
  sp.log.push({ error: String(error) });
  response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
})).listen(sp.port, 'localhost'));
const [first, second] = providers;
const browser = await launch(config);
const seen = {};
let page;
try {
  page = await (await browser.newContext()).newPage();
  const signIn = async page => {
    await page.fill('#name', config.name);
    await page.fill('#password', config.password);
    await page.click('button');
  };
  await page.goto(`${first.address}/login`);
  seen.askedAt = new URL(page.url()).pathname;
  await signIn(page);
  await page.waitForSelector('#who');
  seen.byRedirect = await page.textContent('#who');
  await page.goto(`${second.address}/login`);
  await page.waitForSelector('#who');
  seen.byPost = await page.textContent('#who');
  await page.goto(`${first.address}/logout`);
  await page.waitForSelector('#bye');
  seen.loggedOutAt = new URL(page.url()).port === String(first.port);
  await page.goto(`${second.address}/login`);
  await page.waitForSelector('#password');
  seen.askedAgain = true;

  // Without script, a button does what script does.
  const plain = page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(`${first.address}/login`);
  await signIn(plain);
  await plain.waitForSelector('form[action$="/acs"] button');
  await plain.click('button');
  await plain.waitForSelector('#who');
  seen.withoutScript = await plain.textContent('#who');
} catch (error) {
  seen.error = String(error);
  seen.page = page && `${page.url().slice(0, 200)} ${await page.textContent('body')}`;
} finally {
  await browser.close();
  servers.forEach(server => server.close());
  servers.forEach(server => server.closeAllConnections());
}
seen.first = first.log;
seen.second = second.log;
console.log(JSON.stringify(seen));
