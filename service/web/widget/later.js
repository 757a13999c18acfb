// What only some need: those who write or have written here, and those who follow a link to what is not loaded.
// What both scripts use is given, so that nothing is there twice.
let make, makeButton, find, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf, draftKey, TYPED;

export default (tools) => {
  ({ make, makeButton, find, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf, draftKey, TYPED } = tools);
  return { Own, ReplyForm, open };
};
