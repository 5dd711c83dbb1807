const dialog = document.getElementById('confirm');
const yes = document.getElementById('confirm-yes');
const no = document.getElementById('confirm-no');

/**
 * Asks before something is done. Escape and Cancel are no; Cancel has the focus, and whoever had it gets it back.
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, verb }) {
  document.getElementById('confirm-title').textContent = title;
  document.getElementById('confirm-text').textContent = text;
  yes.textContent = verb;
  return new Promise((resolve) => {
    dialog.returnValue = '';
    yes.onclick = () => dialog.close('yes');
    no.onclick = () => dialog.close('');
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.showModal();
    no.focus();
  });
}

/** Takes the question back: nobody is there to do it. */
export function unasked() {
  if (dialog.open) dialog.close('');
}
