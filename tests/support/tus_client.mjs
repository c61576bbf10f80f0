// Uploads a file by tus-js-client, breaks off after some pieces, and goes on with another upload of it, as its documentation has it.
// node tus_client.mjs FOLDER ADDRESS FILE COOKIE TOKEN; FOLDER has the package in node_modules. Prints the address of the upload.
import { createRequire } from "node:module";
import fs from "node:fs";

const [folder, endpoint, path, cookie, token] = process.argv.slice(2);
const tus = createRequire(`${folder}/`)("tus-js-client");
const size = fs.statSync(path).size;

function upload(url, chunkSize, stopAfter) {
  return new Promise((done, failed) => {
    const asked = new tus.Upload(fs.createReadStream(path), {
      endpoint, uploadUrl: url, uploadSize: size, chunkSize, retryDelays: [0, 500],
      uploadDataDuringCreation: !url,
      metadata: { filename: "été.bin", filetype: "application/x-test" },
      headers: { Cookie: cookie, "X-CSRFToken": token },
      onError: failed,
      onSuccess: () => done(asked.url),
      onChunkComplete: (_piece, accepted) => {
        if (stopAfter && accepted >= stopAfter && accepted < size) asked.abort().then(() => done(asked.url), failed);
      },
    });
    asked.start();
  });
}

const url = await upload(null, 1 << 20, 3 << 20);
await upload(url, 5 << 20, 0);
const gone = await upload(null, 1 << 20, 2 << 20);
await tus.Upload.terminate(gone, { headers: { Cookie: cookie, "X-CSRFToken": token }, retryDelays: [] });
console.log(url, gone);
