/**
 * The list of the page's files, `precache.js`: `self.GYEOT_FILES=[{url, revision}, …]`. The service
 * worker keeps these files; a site made from this page changes some and stamps the list again.
 */
export interface Precached {
    url: string;
    /** `null` where the name itself changes with the content. */
    revision: string | null;
}
export declare function readPrecache(script: string): Precached[];
export declare function writePrecache(files: Precached[]): string;
/** The list with some files changed or added, and others left out. */
export declare function stampPrecache(script: string, changed: Record<string, string>, removed?: string[]): string;
