import { spawn } from 'node:child_process';

/** The command that opens an address in the user's browser; undefined where there is no screen. */
const opener = (): readonly string[] | undefined => {
  const { DISPLAY, WAYLAND_DISPLAY, BROWSER } = process.env;
  switch (process.platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      return ['rundll32', 'url.dll,FileProtocolHandler'];
    default:
      return [DISPLAY, WAYLAND_DISPLAY].some((screen) => screen !== undefined && screen !== '')
        ? [BROWSER === undefined || BROWSER === '' ? 'xdg-open' : BROWSER]
        : undefined;
  }
};

/** Opens an address in the user's browser, if there is one. That it cannot be opened is no error: the address is printed. */
export const openBrowser = (address: string): void => {
  const [command, ...args] = opener() ?? [];
  if (command === undefined) return;
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
};
