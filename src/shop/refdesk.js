// Refdesk on a shop's own pages: keeps the code of ?ref=CODE as a cookie of the shop, and hands it on. It throws
// nothing, and sends nothing but this: with data-watch, Refdesk hears for some days that a page was opened.
(() => {
	const safely = (work) => (...given) => { try { return work(...given); } catch (e) { return null; } };
	safely(() => {
		const doc = document, script = doc.currentScript || doc.querySelector('script[src*="/refdesk.js"]');
		if (window.refdesk && window.refdesk.consent) return;
		const set = script.dataset, names = ['refdesk_code', 'refairn_code'];
		const age = Math.min(Math.max(parseInt(set.days, 10) || 90, 1), 400) * 86400;

		// Older browsers, which cannot tell letters of all scripts, take ASCII.
		const form = safely(() => RegExp('^[\\p{Alphabetic}\\p{N}._-]{3,40}$', 'u'))() || /^[\w.-]{3,40}$/;
		const clean = safely((text) => (text = text.trim().normalize()) && form.test(text) && /[^._-]/.test(text) ? text : null);
		const kept = safely(() => names.reduce((code, name) => code || safely(() =>
			clean(decodeURIComponent(doc.cookie.match(`(?:^|; )${name}=([^;]*)`)[1])))(), null));
		const put = (value, seconds, domain) => names.forEach((name) => {
			doc.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${seconds}; SameSite=Lax${
				domain ? `; Domain=${domain}` : ''}${location.protocol === 'https:' ? '; Secure' : ''}`;
		});
		const code = kept() || clean(new URLSearchParams(location.search).get('ref'));
		// The first code stays until its cookie ends. Where the browser refuses the domain, the host is enough.
		const keep = () => [set.domain, ''].forEach((domain) => code && !kept() && put(code, age, domain));
		const forget = () => `${location.hostname}.`.split('.').forEach((_, i, all) => put('', 0, all.slice(i, -1).join('.')));

		window.refdesk = {
			code,
			ready: (call) => { if (typeof call === 'function') setTimeout(call, 0, code); },
			consent: safely((given) => (given === true ? keep() : forget())),
		};
		if (set.consent !== 'ask') safely(keep)();

		if (parseInt(set.watch, 10) * 1000 > Date.now()) safely(() => {
			const query = `campaign=${set.campaign}&watch=${set.watch}&origin=${encodeURIComponent(location.origin)}`;
			const options = { mode: 'no-cors', credentials: 'omit', referrerPolicy: 'no-referrer' };
			fetch(new URL(`refdesk/seen?${query}`, script.src).href, options).catch(() => {});
		})();
		if (!code) return;

		// Stripe takes no dot, and no look-up of a code needs it.
		const bare = code.replace(/\./g, ''), id = /^[\w-]+$/.test(bare) && bare, filled = new WeakSet();
		const wanted = 'input[data-refdesk-code],a[data-refdesk-stripe],a[href*="//buy.stripe.com/"],stripe-buy-button,stripe-pricing-table';
		const hand = safely((node) => {
			if (node.localName === 'input') {
				if (node.value || filled.has(node)) return;
				filled.add(node);
				// By the setter of all inputs, so that React notices.
				Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(node, code);
				['input', 'change'].forEach((name) => node.dispatchEvent(new Event(name, { bubbles: true })));
			} else if (id && node.localName === 'a') {
				const to = new URL(node.href);
				const stripes = to.origin === 'https://buy.stripe.com' || node.hasAttribute('data-refdesk-stripe');
				if (!stripes || !/^http/.test(to.protocol) || to.searchParams.has('client_reference_id')) return;
				to.search += `${to.search && '&'}client_reference_id=${id}`;
				node.href = to.href;
			} else if (id && !node.getAttribute('client-reference-id')) node.setAttribute('client-reference-id', id);
		});
		const look = safely((node) => {
			if (node.matches && node.matches(wanted)) hand(node);
			Array.from(node.querySelectorAll(wanted)).forEach(hand);
		});
		look(doc);
		// What comes later; of a link whose address changes, the link alone.
		safely(() => new MutationObserver((changes) => changes.forEach((one) => {
			if (one.attributeName) safely(() => one.target.matches(wanted) && hand(one.target))();
			else Array.from(one.addedNodes).forEach(look);
		})).observe(doc, { childList: true, subtree: true, attributeFilter: ['href'] }))();
		doc.dispatchEvent(new CustomEvent('refdesk:code', { detail: code }));
	})();
})();
