"use strict";
// Runs Node's half of jsii, whose path is the argument, with answers sent in batches: they go out when the
// next request has to be waited for. Descriptor 3 is the connection.

const fs = require("fs");
const path = require("path");

const CONNECTION = 3;
const { readSync, writeSync } = fs;
let held = [];

function flush() {
  let rest = Buffer.concat(held);
  held = [];
  while (rest.length) rest = rest.subarray(writeSync(CONNECTION, rest));
}

fs.writeSync = (descriptor, data, ...place) => {
  if (descriptor !== CONNECTION) return writeSync(descriptor, data, ...place);
  const part = data.subarray(place[0] ?? 0);
  held.push(part);
  return part.length;
};

fs.readSync = (descriptor, ...place) => {
  if (descriptor === CONNECTION) flush();
  return readSync(descriptor, ...place);
};

require(path.resolve(process.argv[2]));
