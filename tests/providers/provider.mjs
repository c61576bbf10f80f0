// A real provider of OpenID Connect (npm: oidc-provider) for the tests: anybody signs in with any password, as who they say they are.
//
// node provider.mjs FOLDER CONFIGURATION: the folder with node_modules; JSON with port, people (by user name: their claims), clients.
// It writes "ready" once it listens.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2]);
const { port, people, clients, host } = JSON.parse(process.argv[3]);
const { default: Provider } = await import(pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js')));

const provider = new Provider(`http://${host}:${port}`, {
  clients,
  cookies: { keys: ['for tests alone'] },
  claims: {
    openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'],
    acr: null, auth_time: null, iss: null, sid: null,
  },
  scopes: ['openid', 'email', 'profile', 'groups'],
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // its own guard refuses this machine, where the tests' webmail is
  fetch: (url, options) => { delete options.dispatcher; return globalThis.fetch(url, options); },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, preferred_username: sub, ...(people[sub] || {}) }),
  }),
  // nobody is asked whether the webmail may know who they are
  loadExistingGrant: async (context) => {
    const { oidc } = context;
    const known = oidc.result?.consent?.grantId || oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
});

createServer(provider.callback()).listen(port, host, () => console.log('ready'));
