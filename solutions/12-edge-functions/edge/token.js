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

// kata: task token
function isValid(token, secret) {
    const parts = token.split('.');
    if (parts.length !== 3) return false;
    try {
        if (decoded(parts[0]).alg !== 'HS256') return false;
        if (signature(parts[0] + '.' + parts[1], secret) !== parts[2]) return false;
        return decoded(parts[1]).exp > Date.now() / 1000;
    } catch (error) {
        return false;
    }
}

// kata: starter
// function isValid(token, secret) {
//     return true;
// }
//
// kata: end
async function handler(event) {
    const request = event.request;
    // kata: task token
    const sent = request.headers.authorization ? request.headers.authorization.value : '';
    if (sent.startsWith('Bearer ') && isValid(sent.slice(7), await secretKey())) return request;
    const refusal = { statusCode: 401, statusDescription: 'Unauthorized' };
    refusal.headers = Object.assign({ 'www-authenticate': { value: 'Bearer' } }, SECURITY);
    return refusal;
    // kata: starter
    // return request;
    // kata: end
}
