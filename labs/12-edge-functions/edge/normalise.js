// Runs at viewer-request of the public pages: one address for each page.

const SECURITY = {
    'strict-transport-security': { value: 'max-age=31536000' },
    'x-content-type-options': { value: 'nosniff' },
    'x-frame-options': { value: 'DENY' },
};

// The query string as it stands in an address, with its question mark; '' where there is none.
function written(querystring) {
    const parts = [];
    Object.keys(querystring).forEach((name) => {
        const entry = querystring[name];
        (entry.multiValue || [entry]).forEach((one) => parts.push(one.value === '' ? name : `${name}=${one.value}`));
    });
    return parts.length ? '?' + parts.join('&') : '';
}

function handler(event) {
    const request = event.request;
    return request;
}
