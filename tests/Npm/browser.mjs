import { chromium } from 'playwright-core';

/** Starts the host's chromium, which trusts the one key that config.spki is the SHA-256 of. */
export function launch(config) {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    timeout: 120_000,
    args: [...(process.getuid() === 0 ? ['--no-sandbox'] : []), `--ignore-certificate-errors-spki-list=${config.spki}`],
  }).then(browser => {
    const newContext = browser.newContext.bind(browser);
    // Slow on a busy host is not wrong.
    browser.newContext = async options => {
      const context = await newContext(options);
      context.setDefaultTimeout(60_000);
      return context;
    };
    return browser;
  });
}
