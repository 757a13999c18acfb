// What those need who write: `embed.js` loads it when somebody begins to, or has written here before. What both need
// is given, so that nothing is there twice.
let make, makeButton, find, say, api, call, keep, recall, parse, ownKey, ownOf, TYPED;

export default (tools) => {
  ({ make, makeButton, find, say, api, call, keep, recall, parse, ownKey, ownOf, TYPED } = tools);
  return { Own, Sending, preview };
};
