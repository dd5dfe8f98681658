import { type Theme, webDarkTheme, webLightTheme } from '@fluentui/react-components';
import { createContext, useContext } from 'react';

export type ThemeMode = 'light' | 'dark' | 'system';

export type ThemeChoice = { mode: ThemeMode; isDark: boolean; setMode(mode: ThemeMode): void };

const fonts = {
  fontFamilyBase: '"Segoe UI Variable Text", "Segoe UI", "Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", Consolas, "Cascadia Mono", monospace',
};

export const lightTheme: Theme = { ...webLightTheme, ...fonts };
export const darkTheme: Theme = { ...webDarkTheme, ...fonts };

export const ThemeContext = createContext<ThemeChoice>({
  mode: 'system',
  isDark: false,
  setMode: () => undefined,
});

export function useTheme(): ThemeChoice {
  return useContext(ThemeContext);
}
