// Runs at viewer-response, before an answer goes to the viewer.

const SECURITY = {
    'strict-transport-security': { value: 'max-age=31536000' },
    'x-content-type-options': { value: 'nosniff' },
    'x-frame-options': { value: 'DENY' },
};

function handler(event) {
    const response = event.response;
    return response;
}
