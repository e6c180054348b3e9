// Revocation lists over HTTP: /crl/AUTHORITY_ID.crl, DER, as RFC 5280 s4.2.1.13 and RFC 2585 s3 have it, and
// /crl/AUTHORITY_ID/tasks.crl for SVIDs of tasks, which are on no other list. An authority that revoked
// nothing has an empty list. When lists are signed: server/ca/crls.ts, server/tasks/crls.ts.

import { ASK_EACH_TIME, type Document, documentOf, type FindResource } from "./document.ts";

const PATH = /^\/crl\/([0-9a-f]{2,64})(\/tasks)?\.crl$/;

/** Answers the newest list of an authority, DER; undefined when there is no such authority here. */
export type FindCrl = (authorityId: string) => Promise<Uint8Array | undefined>;

/** What stands at the paths of revocation lists; `findOfTasks` as `find`, for the lists of tasks. */
export function crlEndpoint(find: FindCrl, findOfTasks: FindCrl): FindResource {
  const documents = new WeakMap<Uint8Array, Document>();
  return async (path) => {
    const [, authorityId, ofTasks] = PATH.exec(path) ?? [];
    if (authorityId === undefined) return undefined;
    const der = await (ofTasks === undefined ? find : findOfTasks)(authorityId);
    if (der === undefined) return undefined;
    let document = documents.get(der);
    if (document === undefined) {
      document = documentOf(der, "application/pkix-crl", ASK_EACH_TIME);
      documents.set(der, document);
    }
    return document;
  };
}

/** Where an authority's list is, for whoever reaches the listener at `url`. */
export function crlUrlOf(url: string, authorityId: string): string {
  return `${url}/crl/${authorityId}.crl`;
}

/** As above, the list of the SVIDs of tasks: the name of its distribution point, in them and in itself. */
export function taskCrlUrlOf(url: string, authorityId: string): string {
  return `${url}/crl/${authorityId}/tasks.crl`;
}
