// Questions and warnings that come up while the dashboard has the terminal: they are asked over the screen, one after the other.
import type {AppControl} from '../ui/app.tsx';

export interface Asker {
  /** From here on there's a screen. */
  readonly connect: (control: AppControl) => void;
  /** Resolves when there's a screen. */
  readonly connected: Promise<unknown>;
  /** Empty when the person doesn't want to answer; then it isn't asked again. */
  readonly askSecret: (question: string) => Promise<string>;
  readonly warn: (message: string) => void;
  /** Undefined before there's a screen. */
  control(): AppControl | undefined;
}

export function askOver(): Asker {
  let control: AppControl | undefined;
  let isConnected: (control: AppControl) => void = () => {};
  const connected = new Promise<AppControl>((resolve) => {
    isConnected = resolve;
  });
  const refused = new Set<string>();
  let last: Promise<unknown> = connected;
  return {
    connect: (screen) => {
      control = screen;
      isConnected(screen);
    },
    connected,
    askSecret: (question) => {
      const answer = last.then(async () => {
        if (refused.has(question)) return '';
        const {navigator} = await connected;
        const said = await navigator.ask({kind: 'secret', title: question});
        if (typeof said === 'string' && said !== '') return said;
        refused.add(question);
        return '';
      });
      last = answer.catch(() => {});
      return answer;
    },
    warn: (message) => control?.say(message, 'warning'),
    control: () => control,
  };
}
