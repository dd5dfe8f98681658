import { useEffect, useLayoutEffect, useMemo, useState } from 'react';
import type { ThemeChoice, ThemeMode } from '../ui/theme';

const STORAGE_KEY = 'theme';
const MODES: readonly ThemeMode[] = ['light', 'dark', 'system'];

/** The chosen theme, which the page keeps on the device as it does the shortcut switch. */
export function useThemeChoice(): ThemeChoice {
  const [mode, setMode] = useState<ThemeMode>(storedMode);
  const system = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []);
  const [isSystemDark, setSystemDark] = useState(system.matches);

  useEffect(() => {
    const follow = () => setSystemDark(system.matches);
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, [system]);

  const isDark = mode === 'dark' || (mode === 'system' && isSystemDark);
  // Before the effects of what is drawn from the theme's variables, such as the charts.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  }, [isDark]);

  return useMemo(
    () => ({
      mode,
      isDark,
      setMode: (next: ThemeMode) => {
        localStorage.setItem(STORAGE_KEY, next);
        setMode(next);
      },
    }),
    [mode, isDark],
  );
}

function storedMode(): ThemeMode {
  const stored = localStorage.getItem(STORAGE_KEY);
  return MODES.find((mode) => mode === stored) ?? 'system';
}
