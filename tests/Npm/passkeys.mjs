// A browser with a virtual authenticator adds a passkey and signs in by it, without a password and after it.
//   node passkeys.mjs run CONFIG    prints what was seen, one JSON object
import { readFileSync } from 'node:fs';
import { launch } from './browser.mjs';

const config = JSON.parse(readFileSync(process.argv[3], 'utf8'));
const browser = await launch(config);
const seen = {};
let page;
try {
  const context = await browser.newContext();
  page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const password = async () => {
    await page.goto(`${config.idp}/sign-in`);
    await page.fill('#name', config.name);
    await page.fill('#password', config.password);
    await page.click('button');
  };
  const who = async () => {
    await page.waitForSelector('strong');
    return page.textContent('strong');
  };
  await password();
  seen.byPassword = await who();
  await page.goto(`${config.idp}/account/passkeys`);
  await page.fill('#name', 'Laptop');
  await page.click('form[data-passkey] button:not([disabled])');
  await page.waitForSelector('li');
  seen.added = (await page.textContent('li')).includes('Laptop');
  seen.credentials = (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length;

  await context.clearCookies();
  await page.goto(`${config.idp}/sign-in`);
  await page.click('a:has-text("passkey")');
  await page.click('form[data-passkey] button:not([disabled])');
  seen.withoutPassword = await who();

  await page.goto(`${config.idp}/account/passkeys`);
  await page.click('button:has-text("Ask for a passkey")');
  await page.waitForSelector('button:has-text("Let the password be enough")');
  await context.clearCookies();
  await password();
  await page.waitForSelector('#code');
  seen.secondFactorAsked = new URL(page.url()).pathname;
  await page.click('a:has-text("Use a passkey instead")');
  await page.click('form[data-passkey] button:not([disabled])');
  seen.afterPassword = await who();

  await context.clearCookies();
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await page.goto(`${config.idp}/sign-in/passkey`);
  await page.click('form[data-passkey] button:not([disabled])');
  await page.waitForSelector('[role=alert]:not(:empty)');
  seen.refusedUnverified = await page.textContent('[role=alert]');
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });

  await page.goto(`${config.idp}/sign-in/passkey`);
  await page.click('form[data-passkey] button:not([disabled])');
  await who();
  await page.goto(`${config.idp}/account/passkeys`);
  await page.click('li button');
  await page.waitForSelector('li', { state: 'detached' });
  await context.clearCookies();
  await page.goto(`${config.idp}/sign-in/passkey`);
  await page.click('form[data-passkey] button:not([disabled])');
  await page.waitForSelector('[role=alert]:not(:empty)');
  seen.removedRefused = await page.textContent('[role=alert]');
  await password();
  seen.passwordEnough = await who();
} catch (error) {
  seen.error = String(error);
  seen.page = page && `${page.url().slice(0, 200)} ${await page.textContent('body')}`;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
