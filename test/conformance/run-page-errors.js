// A script that does not even parse, or fails outside of the suite, is reported all the same.
addEventListener('error', ({ message, filename, lineno }) => {
  fetch('result', { method: 'POST', body: JSON.stringify({ fatal: `${message} ${filename}:${lineno}` }) });
});
addEventListener('unhandledrejection', ({ reason }) => {
  fetch('result', { method: 'POST', body: JSON.stringify({ fatal: String(reason) }) });
});
