import { createSignal, type JSX } from 'solid-js';
import { isProcess } from '../../../protocol/index.js';
import { useApp } from '../../app.js';

/** `4711` as the port of this machine. */
const whole = (address: string): string => (/^\d{1,5}$/.test(address) ? `127.0.0.1:${address}` : address);

/** Where a live process is, and its token: the server attaches, and the session is of that process then. */
export const AttachForm = (props: { readonly address: string; readonly attached?: () => void }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  // Not a field's own state: another process may be chosen while the form is there.
  const [typed, setTyped] = createSignal<string>();
  const address = () => whole((typed() ?? props.address).trim());
  let token: HTMLInputElement | undefined;
  const attach = (): void => {
    if (!isProcess(address())) return;
    app.session.send({ type: 'attach', address: address(), token: token?.value.trim() ?? '' });
    if (token) token.value = '';
    setTyped(undefined);
    app.session.look(null);
    props.attached?.();
  };
  return (
    <form
      class="attach-form"
      onSubmit={(event) => {
        event.preventDefault();
        attach();
      }}
    >
      <input
        class="mono attach-address"
        value={typed() ?? props.address}
        placeholder="127.0.0.1:4711"
        aria-label={t().address}
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <input
        ref={token}
        class="attach-token"
        type="password"
        autocomplete="off"
        placeholder={t().token}
        aria-label={t().token}
      />
      <button type="submit" disabled={!isProcess(address())}>
        {t().attach}
      </button>
    </form>
  );
};
