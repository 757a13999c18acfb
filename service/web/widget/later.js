// What only some need: those who write or have written here, and those who want more of the list than is there.
// What both scripts use is given, so that nothing is there twice.
let make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf, draftKey, TYPED;

export default (tools) => {
  ({ make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf, draftKey, TYPED } = tools);
  return { Own, ReplyForm, open, more };
};
