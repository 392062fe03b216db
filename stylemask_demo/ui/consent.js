// Asks once, before the first use, whether the visitor keeps to the rules; the browser remembers it. `consent` has the words.
(() => {
    const KEY = 'stylemask-consent';
    // Here, because Gradio keeps the page's style sheet to its own part of the document.
    const STYLE = `
        #consent {
            max-width: 30rem; padding: 24px; border: 0; border-radius: 12px; line-height: 1.5;
            font-family: system-ui, sans-serif; color: #1f2421; background: #ffffff;
        }
        #consent::backdrop { background: rgb(15 23 28 / 60%); }
        #consent h2 { margin: 0 0 8px; font-size: 1.25rem; }
        #consent button {
            margin-top: 16px; padding: 10px 24px; border: 0; border-radius: 8px;
            font: inherit; color: #ffffff; background: #0f766e; cursor: pointer;
        }
        @media (prefers-color-scheme: dark) { #consent { color: #eceeec; background: #1b1e1d; } }`;
    const remembered = () => {
        try { return localStorage.getItem(KEY); } catch { return null; }  // where the browser keeps nothing it is asked anew
    };
    const ask = () => {
        if (remembered()) return;
        const dialog = document.createElement('dialog');
        dialog.id = 'consent';
        dialog.setAttribute('aria-labelledby', 'consent-title');
        dialog.innerHTML = `<style>${STYLE}</style><h2 id="consent-title"></h2><p></p>
            <form method="dialog"><button value="agreed"></button></form>`;
        dialog.querySelector('h2').textContent = consent.title;
        dialog.querySelector('p').textContent = consent.text;
        dialog.querySelector('button').textContent = consent.button;
        dialog.addEventListener('close', () => {
            if (dialog.returnValue !== 'agreed') return dialog.showModal();
            try { localStorage.setItem(KEY, 'agreed'); } catch { /* asked anew the next time */ }
            dialog.remove();
        });
        document.body.append(dialog);
        dialog.showModal();
    };
    document.readyState === 'loading' ? document.addEventListener('DOMContentLoaded', ask) : ask();
})();
