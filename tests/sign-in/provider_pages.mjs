// The few pages of the provider. Nothing in them comes from outside but names that the provider itself gave.

const SUGGESTED = ['u_42', 'u_1', 'u_7'];
const STYLE = 'body{font:17px/1.5 system-ui,sans-serif;max-width:24rem;margin:12vh auto;padding:0 1rem;color-scheme:light dark}button,input{font:inherit;padding:.7rem 1rem;margin:.3rem 0;width:100%;box-sizing:border-box}';

export function page(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · another provider</title><style>${STYLE}</style><main>${body}</main></html>`;
}

/** Who are you? No password: whoever runs the tests may be anyone. */
export function choice(client, nameOf) {
  const people = SUGGESTED.map((user) => `<button name="user" value="${user}">${nameOf(user)}</button>`).join('');
  return page('Sign in', `<h1>Who are you?</h1><p>Sign in to ${client}.</p><form method="post">${people}</form>
    <form method="post"><label>Somebody else <input name="user" placeholder="u_1 to u_1000" required></label><button>Sign in</button></form>
    <form method="post"><button name="cancel" value="yes">Cancel</button></form>`);
}
