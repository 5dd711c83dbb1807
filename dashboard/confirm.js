const dialog = document.getElementById('confirm');
const yes = document.getElementById('confirm-yes');
const no = document.getElementById('confirm-no');

/**
 * Asks before something is done. Escape and Cancel are no; Cancel has the focus, and what had it gets it back.
 * @param {{ title: string, text: string, verb: string, grave?: boolean }} question grave: it ends something
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, verb, grave }) {
  document.getElementById('confirm-title').textContent = title;
  document.getElementById('confirm-text').textContent = text;
  yes.textContent = verb;
  yes.className = grave ? 'danger full' : 'primary';
  return new Promise((resolve) => {
    dialog.returnValue = '';
    yes.onclick = () => dialog.close('yes');
    no.onclick = () => dialog.close('');
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.showModal();
    no.focus();
  });
}

/** Takes the question back: nothing could be done now. */
export function unasked() {
  if (dialog.open) dialog.close('');
}
