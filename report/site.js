// Comfort only: every page works without. The overview and the newest failures load themselves anew
// while somebody looks at them; "/" goes to the search; a failure's row opens with a click anywhere.
(() => {
  'use strict';
  const main = document.getElementById('main');
  const live = /^\/(failures|health)?$/.test(location.pathname) && !/[?&](cursor|until)=/.test(location.search);
  const SECONDS = 10;

  const busy = () => document.hidden || main.contains(document.activeElement) || String(getSelection()) !== '';

  async function refresh() {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, {headers: {Accept: 'text/html'}});
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('main');
      if (!fresh || busy() || fresh.innerHTML === main.innerHTML) return;
      main.replaceChildren(...fresh.childNodes);
      document.title = page.title;
    } catch { /* the server is away: the next try is in ten seconds */ }
  }
  if (live) setInterval(refresh, SECONDS * 1000);

  document.addEventListener('keydown', e => {
    const field = document.getElementById('f-user') || document.getElementById('f-text');
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '');
    if (e.key === '/' && field && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      field.focus();
    }
  });

  main.addEventListener('click', e => {
    const row = e.target.closest('.list tr');
    const link = row?.querySelector('th a');
    if (link && !e.target.closest('a') && String(getSelection()) === '') link.click();
  });
})();
