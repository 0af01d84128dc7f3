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
    // kata: task normalise
    const last = request.uri.split('/').pop();
    if (last !== '' && !last.includes('.')) {
        const location = { value: request.uri + '/' + written(request.querystring) };
        return {
            statusCode: 301,
            statusDescription: 'Moved Permanently',
            headers: Object.assign({ location: location }, SECURITY),
        };
    }
    Object.keys(request.querystring).forEach((name) => {
        if (name.startsWith('utm_')) delete request.querystring[name];
    });
    // kata: starter
    // kata: end
    return request;
}
