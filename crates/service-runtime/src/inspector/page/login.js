// Hands the token over once. What the browser keeps is a session that no script can read.

const form = document.getElementById('login');
const token = document.getElementById('token');
const wrong = document.getElementById('wrong');
const button = form.querySelector('button');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  wrong.textContent = await refusal(token.value);
  button.disabled = false;
  // The same address, which now shows what was asked for, permalinks included.
  if (!wrong.textContent) return location.reload();
  token.select();
});

/** Why it was not taken; nothing when it was. */
async function refusal(value) {
  try {
    const body = JSON.stringify({ token: value });
    const answer = await fetch('/inspector/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (answer.ok) return '';
    return answer.status === 401 ? 'This is not the token.' : `The service answers ${answer.status}.`;
  } catch {
    return 'The service does not answer.';
  }
}
