/**
 * Gives every `<style>` made at run time the nonce of this response, so that `style-src-elem 'self' 'nonce-…'` works
 * without 'unsafe-inline'. The component library and the editor have no option for it in common.
 */
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

if (nonce) {
  const create = document.createElement.bind(document);
  const createWithNonce = (tag: string, options?: ElementCreationOptions) => {
    const element = create(tag, options);
    if (tag.toLowerCase() === 'style') element.setAttribute('nonce', nonce);
    return element;
  };
  // The overloads that give each tag its own type cannot be written for a wrapper.
  document.createElement = createWithNonce as typeof document.createElement;
}
