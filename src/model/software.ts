/**
 * How this client names itself to brokers (KIP-511): their metrics and logs count clients by it. A test holds it to package.json.
 */
export const SOFTWARE = { clientSoftwareName: 'samsa', clientSoftwareVersion: '0.1.0' } as const
